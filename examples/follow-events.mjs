/**
 * Follows a version until every target holds it, and says how far it is each time that this is different.
 *
 *   node follow-events.mjs http://127.0.0.1:7400 index 7
 */
import { connect } from "sluice";

const [url, name, version] = process.argv.slice(2);
const sluice = connect(url);

for await (const { summary } of sluice.follow(`fileSet:${name}@${version}`)) {
  if (summary === null) {
    console.log(`${name}@${version} is not there yet`);
    continue;
  }
  const { held, targets, heldBytes, wantedBytes, secondsLeft, heldBackBy } = summary;
  const left = secondsLeft === null ? "" : `, ${secondsLeft} s left`;
  const why = heldBackBy === null ? "" : `, held back by ${heldBackBy.text}`;
  console.log(`${heldBytes} of ${wantedBytes} bytes, ${held} of ${targets} targets hold it${left}${why}`);
  if (summary.state === "published" && held === targets) break;
}
