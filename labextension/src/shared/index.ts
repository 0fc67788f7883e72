// Components that the notebook widgets and the lab panel share.
export * from './copy';
export * from './form';
export * from './format';
export * from './log';
export * from './schema';
export * from './states';
export * from './table';
export * from './tick';
