// Runs the GraphQL-over-HTTP audits of graphql-http against a running server:
//   node audit.mjs http://127.0.0.1:8080/graphql
// Prints every audit that is not ok and the count, and fails unless all of them are.

import { serverAudits } from 'graphql-http';

const url = process.argv[2];
if (!url) {
  console.error('usage: node audit.mjs URL');
  process.exit(2);
}

let ok = 0;
const audits = serverAudits({ url, fetchFn: fetch });
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === 'ok') {
    ok += 1;
  } else {
    console.log(`${result.status} ${audit.id} ${audit.name}: ${result.reason}`);
  }
}
console.log(`${ok}/${audits.length}`);
process.exit(ok === audits.length ? 0 : 1);
