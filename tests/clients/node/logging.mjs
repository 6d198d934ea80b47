// What a user of @google-cloud/logging does, against the gRPC services at GRPC_HOST. Prints one
// line of JSON: what came back.
import { Logging } from "@google-cloud/logging";
import { grpc } from "google-gax";

const [host, port] = process.env.GRPC_HOST.split(":");
const client = new Logging({
  projectId: process.env.GOOGLE_CLOUD_PROJECT,
  apiEndpoint: host,
  port: Number(port),
  sslCreds: grpc.credentials.createInsecure(),
});

const log = client.log("node-log");
const resource = { type: "global" };
const timestamp = new Date();
await log.write([
  log.entry({ resource, timestamp, severity: "ERROR", labels: { team: "one" } }, { order: 7, text: "Größe" }),
  log.entry({ resource, timestamp, severity: "INFO" }, "plain text"),
]);

const name = `logName="projects/${process.env.GOOGLE_CLOUD_PROJECT}/logs/node-log"`;
const read = async (filter) => {
  const [entries] = await client.getEntries({ filter: `${name} AND ${filter}`, orderBy: "timestamp desc" });
  return entries.map(({ data, metadata }) => ({
    data,
    severity: metadata.severity,
    labels: metadata.labels,
    timestamp: metadata.timestamp,
  }));
};

const found = await read('severity>=ERROR AND jsonPayload.order=7 AND jsonPayload.text:"größe"');
const text = await read('textPayload=~"^plain"');
const [page, , answer] = await client.getEntries({ filter: name, pageSize: 1, autoPaginate: false });
let refused = "";
try {
  await read("severity>=");
} catch (error) {
  refused = `${error.code}: ${error.details}`;
}
const [logs] = await client.getLogs();
await log.delete();
const rest = await read("severity>=DEFAULT");

console.log(
  JSON.stringify({
    timestamp,
    found,
    text,
    page: page.length,
    next: Boolean(answer.nextPageToken),
    refused,
    logs: logs.map(({ name }) => name),
    rest,
  }),
);
