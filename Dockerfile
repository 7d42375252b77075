# The controller as an image: the sources as they are, production packages only, any user id.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY controller ./controller
ENV NODE_ENV=production KUBEKEEPER_DATA_DIR=/data/archive
EXPOSE 8080
USER 65532:0
ENTRYPOINT ["node", "/app/bin/kubekeeper.js"]
CMD ["archive"]
