// AsyncAPI's own parser: reads a JSON array of documents from stdin, and prints one JSON array with
// what it says of each of them: [severity, code, path, message], 0 is an error, 1 a warning.
import { Parser } from "@asyncapi/parser";
import { text } from "node:stream/consumers";

const said = [];
for (const document of JSON.parse(await text(process.stdin))) {
  const { diagnostics } = await new Parser().parse(JSON.stringify(document));
  said.push(diagnostics.map((one) => [one.severity, one.code, one.path.join("/"), one.message]));
}
console.log(JSON.stringify(said));
