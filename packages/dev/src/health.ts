// `gantry health localhost:50051 greeter.v1.Greeter`: asks a gRPC server for its health, as a worker's bundle does.
import { runHealthCommand } from "@gantry/worker/health";

// Paths are meant from where the command was called, which need not be the root that commands run in.
process.chdir(process.env.INIT_CWD || ".");
process.exitCode = await runHealthCommand(process.argv.slice(2), { port: 50051, env: process.env });
