// The mapping, case by case as the comments of google/api/http.proto tell it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRestRouter } from "../src/transport/http/rest/router.ts";
import { contract } from "./support/contract.ts";
import { faultsOf, requestOf } from "./support/rest.ts";

const messaging = contract("messaging.proto");

function routerOf(service: string) {
  return createRestRouter(messaging.service(`messaging.v1.${service}`).methods);
}

test("GET /v1/messages/123456 of /v1/{name=messages/*} is GetMessage(name: messages/123456)", () => {
  assert.deepEqual(requestOf(routerOf("ByName"), "GET", "/v1/messages/123456"), { name: "messages/123456" });
});

test("fields that are not in the path are query parameters, and those of a message have its name before them", () => {
  assert.deepEqual(
    requestOf(routerOf("WithQuery"), "GET", "/v1/messages/123456?revision=2&sub.subfield=foo"),
    { messageId: "123456", revision: "2", sub: { subfield: "foo" } },
  );
});

test("a field that is the body is what the body holds, and the path has its own", () => {
  assert.deepEqual(
    requestOf(routerOf("WithBodyField"), "PATCH", "/v1/messages/123456", '{ "text": "Hi!" }'),
    { messageId: "123456", message: { text: "Hi!" } },
  );
});

test('with the body "*" the body has every field that the path has not', () => {
  assert.deepEqual(requestOf(routerOf("WithBody"), "PATCH", "/v1/messages/123456", '{ "text": "Hi!" }'), {
    messageId: "123456",
    text: "Hi!",
  });
});

test('with the body "*" there are no query parameters', () => {
  assert.deepEqual(faultsOf(routerOf("WithBody"), "PATCH", "/v1/messages/123456?text=Hi", "{}"), [
    ["text", "is not known: this method takes no query parameters", "url.unknown_parameter"],
  ]);
});

test("without a body in the annotation there is no body", () => {
  assert.deepEqual(faultsOf(routerOf("WithQuery"), "GET", "/v1/messages/123456", "{}"), [
    ["", "GET takes none here", "json.syntax"],
  ]);
});

test("an additional binding leads to the same method", () => {
  const router = routerOf("Additional");
  assert.deepEqual(requestOf(router, "GET", "/v1/messages/123456"), { messageId: "123456" });
  assert.deepEqual(requestOf(router, "GET", "/v1/users/me/messages/123456"), {
    userId: "me",
    messageId: "123456",
  });
});

test("a path may hold a field of a field", () => {
  assert.deepEqual(requestOf(routerOf("Selected"), "GET", "/v1/messages/123456/foo"), {
    messageId: "123456",
    sub: { subfield: "foo" },
  });
});

test("a variable of one segment is decoded as a whole, slashes included", () => {
  const encoded = encodeURIComponent("a/b?c#d 七%");
  assert.deepEqual(requestOf(routerOf("WithQuery"), "GET", `/v1/messages/${encoded}`), {
    messageId: "a/b?c#d 七%",
  });
});

test("a variable of several segments is decoded but for its encoded slashes", () => {
  assert.deepEqual(requestOf(routerOf("ByName"), "GET", "/v1/messages/a%2Fb%2fc%3F%20%E4%B8%83%252F"), {
    name: "messages/a%2Fb%2fc? 七%2F",
  });
});

test("a plus sign is a space in a query, and itself in a path", () => {
  assert.deepEqual(requestOf(routerOf("WithQuery"), "GET", "/v1/messages/a+b?sub.subfield=a+b%2B"), {
    messageId: "a+b",
    sub: { subfield: "a b+" },
  });
});
