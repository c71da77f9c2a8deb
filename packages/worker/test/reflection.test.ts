import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createFileRegistry,
  type FileRegistry,
  fromBinary,
  getOption,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { policy } from "@gantry/proto/gantry/v1/policy_pb.js";
import { file_greeter_v1_greeter, Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import {
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflection as V1,
} from "@gantry/proto/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as V1Alpha } from "@gantry/proto/grpc/reflection/v1alpha/reflection_pb.js";
import { Code } from "@gantry/rpc";
import { createReflection } from "../src/reflection/reflection.ts";
import { clientOf } from "./support/client-of.ts";

type Request = MessageInitShape<typeof ServerReflectionRequestSchema>;
type Question = NonNullable<Request["messageRequest"]>;

const implementations = createReflection([{ service: Greeter, aliases: ["Greeter", "pb.Greeter"] }]);

/** Asks over one stream, and gives back the answers. */
async function ask(...questions: Question[]): Promise<ServerReflectionResponse[]> {
  const [implementation] = implementations;
  assert.ok(implementation);
  const requests = questions.map((messageRequest) => ({ host: "localhost", messageRequest }));
  return collect(clientOf(V1, implementation).client.serverReflectionInfo(requests));
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const elements: T[] = [];
  for await (const element of stream) elements.push(element);
  return elements;
}

async function askOne(question: Question): Promise<ServerReflectionResponse["messageResponse"]> {
  const [answer] = await ask(question);
  assert.ok(answer);
  return answer.messageResponse;
}

/** The files of an answer, and their types linked, for which they all have to be there. */
function filesOf(answer: ServerReflectionResponse["messageResponse"]) {
  assert.equal(answer.case, "fileDescriptorResponse");
  const files = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  return { names: files.map(({ name }) => name), files };
}

function link(answer: ServerReflectionResponse["messageResponse"]): FileRegistry {
  const { files } = filesOf(answer);
  const [asked] = files;
  assert.ok(asked);
  return createFileRegistry(asked, (name) => files.find((file) => file.name === name));
}

const symbol = (value: string): Question => ({ case: "fileContainingSymbol", value });

test("both versions list every service, its aliases, and reflection itself", async () => {
  const expected = [
    "greeter.v1.Greeter",
    "Greeter",
    "pb.Greeter",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
  ];
  const [v1, v1Alpha] = implementations;
  assert.ok(v1 && v1Alpha);
  const requests = [{ messageRequest: { case: "listServices", value: "*" } as const }];
  const answers = [
    ...(await collect(clientOf(V1, v1).client.serverReflectionInfo(requests))),
    ...(await collect(clientOf(V1Alpha, v1Alpha).client.serverReflectionInfo(requests))),
  ];
  assert.equal(answers.length, 2);
  for (const { messageResponse } of answers) {
    assert.equal(messageResponse.case, "listServicesResponse");
    assert.deepEqual(
      messageResponse.value.service.map(({ name }) => name),
      expected,
    );
  }
});

test("an answer carries the request that it answers", async () => {
  const [answer] = await ask(symbol("greeter.v1.Greeter"));
  assert.equal(answer?.validHost, "localhost");
  assert.equal(answer?.originalRequest?.host, "localhost");
  assert.deepEqual(answer?.originalRequest?.messageRequest, symbol("greeter.v1.Greeter"));
});

const DECLARED_IN: Record<string, string> = {
  "greeter.v1.Greeter": "greeter/v1/greeter.proto",
  "greeter.v1.Greeter.SayHello": "greeter/v1/greeter.proto",
  "greeter.v1.HelloRequest": "greeter/v1/greeter.proto",
  "greeter.v1.HelloRequest.name": "greeter/v1/greeter.proto",
  "gantry.v1.policy": "gantry/v1/policy.proto",
  "gantry.v1.Quota.Per": "gantry/v1/policy.proto",
  "gantry.v1.Quota.MESSAGE": "gantry/v1/policy.proto",
  "google.api.HttpRule.pattern": "google/api/http.proto",
  "google.protobuf.DescriptorProto.ExtensionRange": "google/protobuf/descriptor.proto",
  "google.rpc.QuotaFailure": "google/rpc/error_details.proto",
  "google.rpc.Status": "google/rpc/status.proto",
  "grpc.reflection.v1alpha.ServerReflection": "grpc/reflection/v1alpha/reflection.proto",
};

for (const [name, file] of Object.entries(DECLARED_IN)) {
  test(`the file of ${name} is found`, async () => {
    const answer = await askOne(symbol(name));
    assert.equal(filesOf(answer).names[0], file);
    assert.ok(link(answer).getFile(file), "it can be linked with what came beside it");
  });
}

test("a file comes as it was compiled, custom options and all, with everything that it imports", async () => {
  const answer = await askOne({ case: "fileByFilename", value: "greeter/v1/greeter.proto" });
  assert.deepEqual(filesOf(answer).names.toSorted(), [
    "buf/validate/validate.proto",
    "gantry/v1/policy.proto",
    "google/api/annotations.proto",
    "google/api/http.proto",
    "google/protobuf/descriptor.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/timestamp.proto",
    "google/rpc/code.proto",
    "greeter/v1/greeter.proto",
  ]);
  assert.equal(answer.case, "fileDescriptorResponse");
  assert.deepEqual(
    answer.value.fileDescriptorProto[0],
    toBinary(FileDescriptorProtoSchema, file_greeter_v1_greeter.proto),
  );
  const sayHello = link(answer).getService("greeter.v1.Greeter")?.method.sayHello;
  assert.ok(sayHello);
  assert.equal(getOption(sayHello, policy).quotas[0]?.id, "greetings-per-name");
});

test("a stream gets each file once, and again when it asks for it by name", async () => {
  const [first, second, again] = await ask(
    symbol("greeter.v1.Greeter"),
    symbol("gantry.v1.Policy"),
    symbol("greeter.v1.HelloResponse"),
  );
  assert.ok(first && second && again);
  const names = filesOf(first.messageResponse).names;
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(filesOf(second.messageResponse).names, ["gantry/v1/policy.proto"]);
  assert.deepEqual(filesOf(again.messageResponse).names, ["greeter/v1/greeter.proto"]);
});

test("a stream does not hear less because another one heard before", async () => {
  const first = await askOne(symbol("greeter.v1.Greeter"));
  const second = await askOne(symbol("greeter.v1.Greeter"));
  assert.deepEqual(filesOf(second).names, filesOf(first).names);
});

test("extensions are found by the type that they extend and their number", async () => {
  const extension = (containingType: string, extensionNumber: number): Question => ({
    case: "fileContainingExtension",
    value: { containingType, extensionNumber },
  });
  const found = await askOne(extension("google.protobuf.MethodOptions", policy.number));
  assert.equal(filesOf(found).names[0], "gantry/v1/policy.proto");

  for (const question of [extension("google.protobuf.MethodOptions", 7), extension("acme.v1.Unknown", 1)]) {
    const answer = await askOne(question);
    assert.equal(answer.case, "errorResponse");
    assert.equal(answer.value.errorCode, Code.NotFound);
  }
});

test("all numbers by which a type is extended are listed; none is not the same as no such type", async () => {
  const numbers = (value: string) => askOne({ case: "allExtensionNumbersOfType", value });
  const options = await numbers("google.protobuf.MethodOptions");
  assert.equal(options.case, "allExtensionNumbersResponse");
  assert.equal(options.value.baseTypeName, "google.protobuf.MethodOptions");
  assert.deepEqual(options.value.extensionNumber.toSorted(), [policy.number, 72_295_728]);

  const none = await numbers("greeter.v1.HelloRequest");
  assert.equal(none.case, "allExtensionNumbersResponse");
  assert.deepEqual(none.value.extensionNumber, []);

  const unknown = await numbers("acme.v1.Unknown");
  assert.equal(unknown.case, "errorResponse");
  assert.equal(unknown.value.errorCode, Code.NotFound);
});

test("what is not there is NOT_FOUND and named, and the stream goes on", async () => {
  const [noFile, noSymbol, nothing, found] = await ask(
    { case: "fileByFilename", value: "acme/v1/acme.proto" },
    symbol("greeter.v1.Greeter.SayGoodbye"),
    { case: undefined },
    symbol("greeter.v1.Greeter"),
  );
  const errorOf = (response: ServerReflectionResponse | undefined) => {
    assert.equal(response?.messageResponse.case, "errorResponse");
    const { errorCode, errorMessage } = response.messageResponse.value;
    return [errorCode, errorMessage];
  };
  assert.deepEqual(errorOf(noFile), [Code.NotFound, 'There is no file "acme/v1/acme.proto" on this worker.']);
  assert.deepEqual(errorOf(noSymbol), [
    Code.NotFound,
    'There is no symbol "greeter.v1.Greeter.SayGoodbye" on this worker.',
  ]);
  assert.equal(errorOf(nothing)[0], Code.InvalidArgument);
  assert.equal(found?.messageResponse.case, "fileDescriptorResponse");
});

for (const alias of ["Greeter", "pb.Greeter"]) {
  test(`the alias ${alias} is shown as a service of the same methods, messages and policy`, async () => {
    for (const name of [alias, `${alias}.SayHello`]) {
      const registry = link(await askOne(symbol(name)));
      const shown = registry.getService(alias);
      assert.ok(shown);
      assert.deepEqual(
        shown.methods.map(({ name, methodKind, input, output }) => [
          name,
          methodKind,
          input.typeName,
          output.typeName,
        ]),
        Greeter.methods.map(({ name, methodKind, input, output }) => [
          name,
          methodKind,
          input.typeName,
          output.typeName,
        ]),
      );
      assert.equal(
        getOption(shown.method.sayHello ?? assert.fail(), policy).quotas[0]?.id,
        "greetings-per-name",
      );
    }
  });
}
