import { Code } from "@gantry/rpc";

/** What a call without gRPC is told where Envoy itself answers: as a worker would say it. */
const CODES: Readonly<Record<number, Code>> = {
  400: Code.InvalidArgument,
  404: Code.NotFound,
  405: Code.Unimplemented,
  408: Code.DeadlineExceeded,
  413: Code.ResourceExhausted,
  415: Code.InvalidArgument,
  429: Code.ResourceExhausted,
  431: Code.ResourceExhausted,
  502: Code.Unavailable,
  503: Code.Unavailable,
  504: Code.DeadlineExceeded,
};

/** For `local_reply_config`: answers of Envoy to HTTP as `google.rpc.Status` in JSON. gRPC has its own. */
export function localReplies(): object[] {
  return Object.entries(CODES).map(([httpStatus, code]) => ({
    filter: {
      and_filter: {
        filters: [
          {
            status_code_filter: {
              comparison: {
                op: "EQ",
                value: { default_value: Number(httpStatus), runtime_key: "edge.status" },
              },
            },
          },
          NO_GRPC,
        ],
      },
    },
    body_format_override: {
      json_format: { code, message: "%LOCAL_REPLY_BODY%", details: [] },
      content_type: "application/json",
    },
  }));
}

/** The transcoder makes gRPC of a request, and leaves a note of where it was sent. */
const NO_GRPC = {
  or_filter: {
    filters: [
      {
        header_filter: {
          header: {
            name: "content-type",
            string_match: { prefix: "application/grpc" },
            invert_match: true,
            treat_missing_header_as_empty: true,
          },
        },
      },
      { header_filter: { header: { name: "x-envoy-original-path", present_match: true } } },
    ],
  },
};
