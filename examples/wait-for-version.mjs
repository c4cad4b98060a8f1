/**
 * Waits until every target holds a version that somebody else publishes, and says who is late.
 *
 *   node wait-for-version.mjs http://127.0.0.1:7400 index 7
 */
import { connect, PublishError } from "sluice";

const [url, name, version] = process.argv.slice(2);
const sluice = connect(url);

try {
  const { targets } = await sluice.waitFor({ name, version, timeoutMilliseconds: 30_000 });
  console.log(`${targets} targets hold ${name}@${version}`);
} catch (error) {
  if (!(error instanceof PublishError) || error.kind !== "waitTimedOut") throw error;
  console.log(error.message);
  process.exitCode = 1;
}
