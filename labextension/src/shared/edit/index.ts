// Building from the screen. See policy.tsx and add.tsx for how to mount them.
export { AddStep } from './add';
export { PolicyForm } from './policy';
