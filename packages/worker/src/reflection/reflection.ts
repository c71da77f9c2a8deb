import type { DescFile, DescService } from "@bufbuild/protobuf";
import { file_google_rpc_error_details } from "@gantry/proto/google/rpc/error_details_pb.js";
import { file_google_rpc_status } from "@gantry/proto/google/rpc/status_pb.js";
import {
  ServerReflection as ReflectionV1,
  type ServerReflectionRequest,
} from "@gantry/proto/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ReflectionV1Alpha } from "@gantry/proto/grpc/reflection/v1alpha/reflection_pb.js";
import { Code } from "@gantry/rpc";
import { type Implementation, implement } from "../implement.ts";
import { aliasFile } from "./alias-file.ts";
import { DescriptorIndex } from "./descriptor-index.ts";

/** What reflection shows: a service, and the other names under which it is served. */
export interface ReflectedService {
  readonly service: DescService;
  readonly aliases: readonly string[];
}

/**
 * Server reflection in both of its versions, over these services and over itself. Aliases are shown
 * as services of their own. Descriptors are first looked at when somebody asks for them.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function createReflection(services: readonly ReflectedService[]): Implementation[] {
  const reflected = [
    ...services,
    { service: ReflectionV1, aliases: [] },
    { service: ReflectionV1Alpha, aliases: [] },
  ];
  let reflection: Reflection | undefined;

  /** Answers the requests of one stream; the two versions differ in nothing but their names. */
  async function* answers<Request extends ReflectionRequest>(requests: AsyncIterable<Request>) {
    reflection ??= new Reflection(reflected);
    const sent = new Set<DescFile>();
    for await (const request of requests) {
      yield {
        validHost: request.host,
        originalRequest: request,
        messageResponse: reflection.answer(request.messageRequest, sent),
      };
    }
  }

  return [
    implement(ReflectionV1, { serverReflectionInfo: answers }),
    implement(ReflectionV1Alpha, { serverReflectionInfo: answers }),
  ];
}

/** What v1 and v1alpha requests have in common, which is all but the types' names. */
interface ReflectionRequest {
  readonly host: string;
  readonly messageRequest: Question;
}

type Question =
  | Exclude<ServerReflectionRequest["messageRequest"], { case: "fileContainingExtension" }>
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } };

type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

class Reflection {
  readonly #names: readonly string[];
  readonly #index: DescriptorIndex;

  constructor(services: readonly ReflectedService[]) {
    this.#names = services.flatMap(({ service, aliases }) => [service.typeName, ...aliases]);
    this.#index = new DescriptorIndex([
      ...services.flatMap(({ service, aliases }) => [
        service.file,
        ...aliases.map((alias) => aliasFile(service, alias)),
      ]),
      // No service names them, but errors carry them: with these, tools show details in full.
      file_google_rpc_error_details,
      file_google_rpc_status,
    ]);
  }

  /** @param sent the files that the stream has had; it is told of each only once, unless it asks for it by name */
  answer(question: Question, sent: Set<DescFile>): Answer {
    const index = this.#index;
    switch (question.case) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: { service: this.#names.map((name) => ({ name })) },
        };
      case "fileByFilename":
        return this.#files(index.file(question.value), `file "${question.value}"`, sent);
      case "fileContainingSymbol":
        return this.#files(index.fileOfSymbol(question.value), `symbol "${question.value}"`, sent);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        return this.#files(
          index.fileOfExtension(containingType, extensionNumber),
          `extension ${extensionNumber} of "${containingType}"`,
          sent,
        );
      }
      case "allExtensionNumbersOfType": {
        const extensionNumber = index.extensionNumbers(question.value);
        if (!extensionNumber) return notFound(`message "${question.value}"`);
        return {
          case: "allExtensionNumbersResponse",
          value: { baseTypeName: question.value, extensionNumber },
        };
      }
      case undefined:
        return failure(
          Code.InvalidArgument,
          "The request asks for nothing: expected one field of message_request.",
        );
    }
  }

  /** The file and what it imports, directly or not, as far as the stream has not had it yet. */
  #files(file: DescFile | undefined, what: string, sent: Set<DescFile>): Answer {
    if (!file) return notFound(what);
    sent.delete(file);
    const files = new Set<DescFile>();
    const collect = (each: DescFile) => {
      if (sent.has(each)) return;
      sent.add(each);
      files.add(each);
      each.dependencies.forEach(collect);
    };
    collect(file);
    return {
      case: "fileDescriptorResponse",
      value: { fileDescriptorProto: [...files].map((each) => this.#index.encode(each)) },
    };
  }
}

function notFound(what: string): Answer {
  return failure(Code.NotFound, `There is no ${what} on this worker.`);
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
