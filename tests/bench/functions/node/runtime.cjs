// The least that speaks Lambda's Runtime API. AWS's own client for Node compiles native code when it is installed,
// which fails on some systems; this does less than that client, and so flatters Node.
"use strict";

const http = require("http");
const { handler } = require(`./${process.argv[2]}.cjs`);

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true });

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const options = { host, port, method, agent, headers, path: `/2018-06-01/runtime/${path}` };
    const request = http.request(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts) }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function main() {
  for (;;) {
    const { headers, body } = await ask("GET", "invocation/next");
    const id = headers["lambda-runtime-aws-request-id"];
    try {
      const answer = await handler(JSON.parse(body));
      await ask("POST", `invocation/${id}/response`, JSON.stringify(answer));
    } catch (error) {
      const { name: errorType, message: errorMessage } = error;
      await ask("POST", `invocation/${id}/error`, JSON.stringify({ errorType, errorMessage }));
    }
  }
}

main();
