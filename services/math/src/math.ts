import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { badRequest, Code, RpcError } from "@gantry/rpc";
import { implement } from "@gantry/worker";
import release from "../package.json" with { type: "json" };
import { CompensatedSum } from "./compensated-sum.ts";

const INT32 = { least: -(2 ** 31), most: 2 ** 31 - 1 };
const INT64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };

export const math = implement(MathService, {
  sum({ vals }) {
    // Doubles count exactly to 2^53: for a sum to pass that, a message would have to be 20 MiB long.
    const val = vals.reduce((sum, next) => sum + next, 0);
    if (val < INT32.least || val > INT32.most)
      throw outOfRange("vals", `the sum ${val} does not fit in int32`);
    return { val };
  },

  version: () => ({ val: release.version }),

  divide({ dividend, divisor }) {
    if (divisor === 0n) throw divisionByZero();
    const quotient = dividend / divisor;
    if (quotient > INT64.most) throw outOfRange("dividend", `the quotient ${quotient} does not fit in int64`);
    return { quotient, remainder: dividend % divisor };
  },

  async *fibonacci({ limit }, { signal }) {
    let [current, next] = [0n, 1n];
    for (let sent = 0; sent < limit && !signal.aborted; sent += 1) {
      yield { val: current };
      [current, next] = [next, current + next];
    }
  },

  async accumulate(requests) {
    const sum = new CompensatedSum();
    let [count, minimum, maximum] = [0, Infinity, -Infinity];
    for await (const { val } of requests) {
      sum.add(val);
      if (!Number.isFinite(sum.value)) throw outOfRange("val", "the sum so far does not fit in a double");
      count += 1;
      minimum = Math.min(minimum, val);
      maximum = Math.max(maximum, val);
    }
    if (count === 0) {
      throw new RpcError(Code.FailedPrecondition, "No numbers were sent: expected at least one.");
    }
    return { count: BigInt(count), sum: sum.value, minimum, maximum, mean: sum.value / count };
  },

  async *runningSum(requests) {
    let sum = 0n;
    for await (const { val } of requests) {
      sum += val;
      if (sum < INT64.least || sum > INT64.most) {
        throw outOfRange("val", `the sum so far, ${sum}, does not fit in int64`);
      }
      yield { val: sum };
    }
  },
});

function divisionByZero(): RpcError {
  const description = "is 0: expected any other number";
  return new RpcError(Code.InvalidArgument, `The divisor ${description}.`, [
    badRequest([{ field: "divisor", description, reason: "DIVISION_BY_ZERO" }]),
  ]);
}

function outOfRange(field: string, description: string): RpcError {
  return new RpcError(Code.OutOfRange, `Out of range: ${description}.`, [
    badRequest([{ field, description, reason: "OVERFLOW" }]),
  ]);
}
