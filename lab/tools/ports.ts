/** Where programs of a race listen, each on its own host. */
export const controllerPort = 7_400;
export const agentPort = 7_500;
export const trackerPort = 6_969;
export const torrentPort = 6_881;
export const rsyncPort = 8_730;
export const competingPort = 9_100;
