/** What a page of a browser does with a gateway of another origin. Bundled, and run in the browser alone. */
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { io } from "socket.io-client";

const TRANSPORTS = { connect: createConnectTransport, grpcWeb: createGrpcWebTransport };

/** Where the gateway is. */
const url = decodeURIComponent(location.search.slice(1));
const socket = io(url, { reconnectionDelay: 50, reconnectionDelayMax: 200 });
/** Why the socket was closed, and how often it was opened. */
const life = { connects: 0, reasons: [] as string[] };
socket.on("connect", () => {
  life.connects += 1;
});
socket.on("disconnect", (reason) => life.reasons.push(reason));

export const page = {
  async greet(protocol: keyof typeof TRANSPORTS, name: string) {
    const greeter = createClient(Greeter, TRANSPORTS[protocol]({ baseUrl: url }));
    const replies: string[] = [(await greeter.sayHello({ name })).reply];
    for await (const { reply } of greeter.lotsOfReplies({ name })) replies.push(reply);
    return replies;
  },

  /** The data of each event of a GraphQL subscription. */
  async subscribe(query: string) {
    const answer = await fetch(`${url}/graphql`, {
      method: "POST",
      body: JSON.stringify({ query }),
      headers: { "content-type": "application/json", accept: "text/event-stream" },
    });
    const text = await answer.text();
    return [...text.matchAll(/^event: next\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? "").data);
  },

  /** Says something, and resolves with the answer. */
  chat: (text: string) =>
    new Promise<string>((resolve) => {
      socket.once("message", resolve);
      socket.emit("message", text);
    }),

  life: () => life,
};
