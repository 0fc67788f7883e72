// From a notebook to a job: the dialog, and what others need of it.
export { PromoteDialog } from './dialog';
export type { Book, Changes } from './book';
export { MOVED } from './book';
export type { Step } from './steps';
export { schemaOf } from './schema_of';
