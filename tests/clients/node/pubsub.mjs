// What a user of @google-cloud/pubsub does, against PUBSUB_EMULATOR_HOST. Prints one line of JSON:
// what came back. ENDPOINT is where pushes shall go.
import { PubSub } from "@google-cloud/pubsub";

const client = new PubSub({ projectId: process.env.GOOGLE_CLOUD_PROJECT });

const [topic] = await client.createTopic("node-topic");
const [pulling] = await topic.createSubscription("node-pull", {
  enableMessageOrdering: true,
  ackDeadlineSeconds: 20,
  labels: { client: "node" },
});
const [pushing] = await topic.createSubscription("node-push", {
  pushConfig: { pushEndpoint: process.env.ENDPOINT },
});

const orderly = client.topic("node-topic", { messageOrdering: true });
const published = [];
for (const text of ["first", "second", "third"]) {
  published.push(
    await orderly.publishMessage({
      data: Buffer.from(text),
      attributes: { colour: "blue", name: "Zoë" },
      orderingKey: "one",
    }),
  );
}

// A streaming pull: the second message is nacked once.
const received = [];
await new Promise((resolve, reject) => {
  let nacked = false;
  pulling.on("error", reject);
  pulling.on("message", (message) => {
    const { id, orderingKey, attributes } = message;
    received.push({ id, text: message.data.toString(), orderingKey, attributes });
    if (message.data.toString() === "second" && !nacked) {
      nacked = true;
      message.nack();
      return;
    }
    message.ack();
    if (message.data.toString() === "third") resolve();
  });
});
await pulling.close();

const [subscriptions] = await topic.getSubscriptions();
const [metadata] = await pulling.getMetadata();
let missing = "";
try {
  await client.topic("nowhere").publishMessage({ data: Buffer.from("lost") });
} catch (error) {
  missing = `${error.code}: ${error.details}`;
}

await pushing.modifyPushConfig({ pushEndpoint: "" });
await pulling.delete();
await pushing.delete();
await topic.delete();
const [topics] = await client.getTopics();
await client.close();

console.log(
  JSON.stringify({
    published,
    received,
    subscriptions: subscriptions.map(({ name }) => name).sort(),
    labels: metadata.labels,
    ackDeadlineSeconds: metadata.ackDeadlineSeconds,
    missing,
    topics: topics.map(({ name }) => name),
  }),
);
