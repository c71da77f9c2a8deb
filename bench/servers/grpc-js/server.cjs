// A hello server as the documents of @grpc/grpc-js put one together, and nothing else:
// https://github.com/grpc/grpc-node/blob/master/examples/helloworld/dynamic_codegen/greeter_server.js
const grpc = require("@grpc/grpc-js");
const { Greeter } = require("./greeter.cjs");

function sayHello(call, callback) {
  callback(null, { reply: `Hello ${call.request.name}` });
}

const server = new grpc.Server();
server.addService(Greeter.service, { sayHello });
server.bindAsync(`127.0.0.1:${process.env.PORT}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
