/** The client of the command line is the one that programs use; its errors carry the exit codes of exit-codes.ts. */
export { ControllerClient } from "../client/controller-client.ts";
