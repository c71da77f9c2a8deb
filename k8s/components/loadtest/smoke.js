// A minute of greetings and sums through Envoy by REST: does it work, and is it quick?

import { check } from "k6";
import http from "k6/http";

const BASE = __ENV.BASE_URL || "http://envoy.gantry.svc.cluster.local";

export const options = {
  scenarios: {
    smoke: {
      executor: "constant-arrival-rate",
      rate: 50,
      timeUnit: "1s",
      duration: "1m",
      preAllocatedVUs: 20,
    },
  },
  thresholds: {
    checks: ["rate>0.999"],
    http_req_duration: ["p(99)<250"],
  },
};

export default function () {
  // A name of its own each time: greetings have a quota per name.
  const name = `k6-${__VU}-${__ITER}`;
  const greeting = http.get(`${BASE}/api/v1/greeter/${name}`, { tags: { name: "SayHello" } });
  check(greeting, { "is greeted": ({ status, body }) => status === 200 && body.includes(name) });

  const version = http.get(`${BASE}/api/v1/math/version`, { tags: { name: "Version" } });
  check(version, { "has a version": ({ status }) => status === 200 });
}
