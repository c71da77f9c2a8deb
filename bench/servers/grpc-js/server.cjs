// A hello server as the documents of @grpc/grpc-js put one together, and nothing else:
// https://github.com/grpc/grpc-node/blob/master/examples/helloworld/dynamic_codegen/greeter_server.js
const { join } = require("node:path");
const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");

const definition = protoLoader.loadSync(join(__dirname, "hello.proto"), {
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});
const { Greeter } = grpc.loadPackageDefinition(definition).greeter.v1;

function sayHello(call, callback) {
  callback(null, { reply: `Hello ${call.request.name}` });
}

const server = new grpc.Server();
server.addService(Greeter.service, { sayHello });
server.bindAsync(`127.0.0.1:${process.env.PORT}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
