/** The file cannot be written until somebody acts. The message is for people. */
export class FileUnusable extends Error {}
