# The bridge as an image:
#   docker build -t nomad-changefeed .
#   docker run --rm nomad-changefeed doctor
# docker-compose.yml shows it beside Redis and Nomad, docs/operations.md what to mind.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/client/package.json packages/client/
COPY packages/nomad-simulator/package.json packages/nomad-simulator/
COPY console/package.json console/
RUN npm ci --no-progress
COPY tsconfig.json tsconfig.build.json ./
COPY packages packages
COPY console console
COPY src src
# The packages beside the bridge, and the console, are built by now: nothing looks for them in node_modules.
RUN npm run build && npm prune --omit=dev --no-workspaces

FROM node:24-bookworm-slim
ENV NODE_ENV=production
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY --from=build /app/console/dist /app/console/dist
COPY LICENSE /app/LICENSE
# The one place that is written to, and only by a SQLite log: `--feed sqlite:./nomad-changefeed.db` is in it.
RUN install -d -o node -g node /data
WORKDIR /data
VOLUME /data
USER node
# Node itself is process 1 and ends in order on SIGTERM. As everywhere it listens on 127.0.0.1 unless NCF_LISTEN says
# otherwise; published ports need that, see docker-compose.yml.
EXPOSE 4650
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://' + (process.env.NCF_LISTEN || '127.0.0.1:4650') + '/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "/app/dist/src/main.js"]
CMD ["run"]
