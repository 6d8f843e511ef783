# Both programs in one image:
#   docker build -t restante .
#   docker run -p 80:8080 -v restante:/state restante
#   docker run restante proxy-in --help
# docs/containers.md says the rest.

FROM node:24-bookworm-slim AS build
WORKDIR /restante
ENV CI=true
# First what seldom changes: an edit of the sources does not install again.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages/protocol/package.json packages/protocol/
COPY packages/proxy-in/package.json packages/proxy-in/
COPY packages/proxy-out/package.json packages/proxy-out/
# Without install scripts: they would fetch a second Node, and everything native comes built.
RUN npx -y "$(node -p 'require("./package.json").packageManager')" install --frozen-lockfile --ignore-scripts
COPY tsconfig.json tsconfig.base.json ./
COPY packages packages
RUN node_modules/.bin/tsc -b
# What runs, and nothing that only builds, types or explains it. Licences stay.
RUN rm -rf node_modules packages/*/node_modules \
  && npx -y "$(node -p 'require("./package.json").packageManager')" install --prod --frozen-lockfile --ignore-scripts --prefer-offline \
  && find node_modules packages -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
  && rm -rf packages/*/src packages/*/test packages/*/tsconfig.json packages/*/dist/.tsbuildinfo \
  && mkdir bin state \
  && ln -s ../packages/proxy-in/bin/proxy-in.js bin/proxy-in \
  && ln -s ../packages/proxy-out/bin/proxy-out.js bin/proxy-out

# A private server to try the pair with; docker-compose.yml uses it. It is not in the programs' image.
FROM node:24-bookworm-slim AS private-server
WORKDIR /demo
COPY demo/private-server.ts demo/page.ts ./
USER 10001:10001
ENTRYPOINT ["node", "private-server.ts"]
CMD ["3000", "0.0.0.0"]

FROM node:24-bookworm-slim AS restante
LABEL org.opencontainers.image.title="Restante" \
  org.opencontainers.image.description="An HTTP tunnel that holds requests instead of losing them" \
  org.opencontainers.image.licenses="MIT"
WORKDIR /restante
ENV NODE_ENV=production \
  PATH=/restante/bin:/usr/local/bin:/usr/bin:/bin
COPY --from=build /restante/node_modules node_modules
COPY --from=build /restante/packages packages
COPY --from=build /restante/bin bin
COPY ops/container/healthcheck.mjs ./
# A number, so that Kubernetes can see that it is not root. A new volume at /state belongs to it.
COPY --from=build --chown=10001:10001 /restante/state /state
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=3 CMD ["node", "healthcheck.mjs"]
# The first word is the program.
ENTRYPOINT ["env", "--"]
CMD ["proxy-out", "--port=8080", "--data-dir=/state"]
