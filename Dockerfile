# sluice in a container: built in one image, run in a slim one, as a user without rights, on a read-only file system.
#
#   docker build -t sluice .
#   docker run --rm --read-only --cap-drop=ALL --security-opt=no-new-privileges --ulimit nofile=1048576:1048576 \
#     -p 8080:8080 -v "$PWD/sluice.yaml:/etc/sluice/sluice.yaml:ro" sluice
#
# docs/operations.md, "In a container", says what to mount and which ports below 1024 need.
FROM node:20-bookworm AS build
WORKDIR /src
# The image brings Node's headers along: node-gyp downloads none.
ENV npm_config_nodedir=/usr/local
COPY . .
# What `npm start` does before it starts: packages, engine, TypeScript, dashboard, bundle. Then only what runs stays.
RUN node scripts/set-up.mjs && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
# uWebSockets.js comes with binaries for every system and version of Node: 200 MB that nobody loads here.
RUN find node_modules/uWebSockets.js node_modules/uWebSockets.js-next -name 'uws_*.node' \
  ! -name "uws_linux_$(node -p process.arch)_$(node -p process.versions.modules).node" -delete

FROM node:20-bookworm-slim
WORKDIR /opt/sluice
COPY --from=build /src/package.json ./
COPY --from=build /src/bundle ./bundle
COPY --from=build /src/build/Release/sluice_engine.node ./build/Release/
COPY --from=build /src/node_modules ./node_modules
# The user `node` of the image has the number 1000; a number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 8080 9900
# Alive and serving; Kubernetes asks /healthz and /readyz itself.
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9900/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# As process 1 Node handles SIGTERM as sluice asks for it; STOPSIGNAL is SIGTERM by default.
ENTRYPOINT ["node", "/opt/sluice/bundle/cli/main.js"]
CMD ["run", "-c", "/etc/sluice/sluice.yaml"]
