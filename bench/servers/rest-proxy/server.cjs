// REST in front of a gRPC server, as one writes it with Express and @grpc/grpc-js, and nothing else.
const grpc = require("@grpc/grpc-js");
const express = require("express");
const { Greeter } = require("../grpc-js/greeter.cjs");

const greeter = new Greeter(process.env.UPSTREAM, grpc.credentials.createInsecure());

const app = express();
app.get("/api/v1/greeter/:name", (request, response) => {
  greeter.sayHello({ name: request.params.name }, (error, reply) => {
    if (error) response.status(502).json({ message: error.details });
    else response.json(reply);
  });
});
app.listen(Number(process.env.PORT), "127.0.0.1", (error) => {
  if (error) throw error;
});
