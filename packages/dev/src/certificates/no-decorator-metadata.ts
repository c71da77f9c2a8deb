// @peculiar/x509 stands on tsyringe, which does not load unless there is somebody to ask for the metadata of
// decorators (https://github.com/PeculiarVentures/x509#-reflect-polyfill-required). x509 is compiled without
// any, so that "there is none" is the right answer to all that is asked.
Object.assign(Reflect, { getMetadata: () => undefined, getOwnMetadata: () => undefined });
