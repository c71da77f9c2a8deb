# One image per service: docker build --build-arg SERVICE=greeter --tag gantry/greeter .
# `npm run image -- greeter` does that, and fills in the labels. docs/image.md tells the rest.
#
# It is built by BuildKit and by Docker's older builder alike, so it uses nothing that only one of them has.

# By digest, a build has the same bases for ever: --build-arg NODE_IMAGE=node@sha256:…
ARG NODE_IMAGE=node:24-bookworm-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

# All package.json files and nothing else, so that the next stage is made anew only when one of them changes.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /all
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete && find . -type d -empty -delete

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /gantry
# Another registry than npm's: --build-arg NPM_CONFIG_REGISTRY=https://…
ARG NPM_CONFIG_REGISTRY
COPY --from=manifests /all ./
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm cache clean --force --loglevel=error

FROM dependencies AS generated
COPY buf.yaml buf.gen.yaml ./
COPY packages/dev/generate.mjs packages/dev/protoc-gen-comments.mjs packages/dev/
COPY proto proto
RUN node packages/dev/generate.mjs

FROM generated AS bundle
COPY packages packages
COPY services services
ARG SERVICE=greeter
RUN node packages/dev/src/image/contents.ts "$SERVICE" /image

FROM ${RUNTIME_IMAGE} AS runtime
# Half of the container's memory is for JavaScript's old objects and 24 MiB are for its young ones. The rest is for
# what is no JavaScript (connections, TLS, buffers) and for a second process, which asks for health.
ENV HOST=0.0.0.0 \
    NODE_ENV=production \
    NODE_OPTIONS="--max-old-space-size-percentage=50 --max-semi-space-size=8"

# Twice: where it runs, for compiled code is found by the path of what it was compiled from, and where it is changed.
FROM runtime AS warmed
COPY --from=bundle /image/ /
COPY --from=bundle --chown=65532:65532 /image/ /tmp/image/
COPY packages/dev/src/image/warm-up.ts /tmp/
ARG SOURCE_DATE_EPOCH=0
USER 65532:65532
RUN ["/nodejs/bin/node", "/tmp/warm-up.ts", "/tmp/image"]

FROM runtime
COPY --from=warmed --chown=0:0 /tmp/image/ /
WORKDIR /app
ENV NODE_COMPILE_CACHE=/app/compiled
USER 65532:65532
CMD ["main.js"]
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s --retries=3 \
    CMD ["/nodejs/bin/node", "main.js", "health"]

# Where the services listen unless PORT and ADMIN_PORT say otherwise; `npm run image` names those of the one.
ARG PORTS="50051 50052 8080 9464 9465 9466"
EXPOSE ${PORTS}

ARG SERVICE=greeter
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG RUNTIME_IMAGE
LABEL org.opencontainers.image.title="gantry/${SERVICE}" \
      org.opencontainers.image.description="The ${SERVICE} worker: gRPC, health, metrics" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${RUNTIME_IMAGE}"
