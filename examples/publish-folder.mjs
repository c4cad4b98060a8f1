/**
 * Publishes a folder and waits until every target holds it.
 *
 *   node publish-folder.mjs http://127.0.0.1:7400 ./dist index 7
 */
import { connect } from "sluice";

const [url, path, name, version] = process.argv.slice(2);
const sluice = connect(url);

const published = await sluice.publish({
  path,
  name,
  version,
  onProgress: (progress) => {
    if (progress.stage === "connecting") console.error(`waiting for the controller: ${progress.problem}`);
  },
});
console.log(`${published.fileSet} is published: ${published.files} files, ${published.bytes} bytes`);

const { targets } = await sluice.waitFor({
  name,
  version,
  timeoutMilliseconds: 60_000,
  onProgress: ({ ready, targets: all }) => console.error(`${ready} of ${all} targets hold it`),
});
console.log(`${targets} targets hold it`);
