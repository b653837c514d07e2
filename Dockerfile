# Basekeeper's image: Node.js, the bundle, and the native lock module's binary for the image's architecture.
#   docker buildx build --platform linux/amd64,linux/arm64 -t REGISTRY/basekeeper:VERSION .
# Both base images can be replaced, for example by a mirror's: --build-arg RUNTIME_IMAGE=... A release names them by digest (docs/verifying.md).
# The runtime image must be a glibc one (the lock module has no musl build) with Node.js 24 at /nodejs/bin/node; it needs no shell.
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

# The bundle is the same for all architectures, so it is built on the builder's own.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc tsconfig.json ./
RUN npm ci --ignore-scripts
COPY scripts/build.ts scripts/build.ts
COPY scripts/lib/bundle scripts/lib/bundle
COPY src src
ARG TARGETARCH
RUN node scripts/build.ts --image /image --arch "$TARGETARCH"
COPY --chmod=0644 LICENSE /image/

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="basekeeper" \
      org.opencontainers.image.description="Keeps the base images that a Kubernetes node's virtual machines stand on, and removes those that nothing stands on any more." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /image/ /app/
# Some 6 MiB less: one arena for all threads, and large buffers that go back to the kernel (docs/performance.md).
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
# Nobody in particular. The chart says which user the agent needs to be on a node, and why.
USER 65532:65532
EXPOSE 9817
# Some 15 MiB less: without the optimizing compilers, whose code an agent that mostly sleeps hardly needs, with a young generation that stays small, with one thread for the collector and the compiler beside the main one, and with a collection after each pass (docs/performance.md).
ENTRYPOINT ["/nodejs/bin/node", "--no-opt", "--no-maglev", "--no-sparkplug", "--max-semi-space-size=1", "--v8-pool-size=1", "--expose-gc", "/app/basekeeper.mjs"]
CMD ["agent", "--config", "/etc/basekeeper/config.yaml"]
