// The contract, as the documents of @grpc/grpc-js load one.
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

exports.Greeter = grpc.loadPackageDefinition(definition).greeter.v1.Greeter;
