// Loads the engine's module into the page itself, for browsers that cannot start it as a worker.
// In: the module's address and a MessagePort. Out: a promise that is kept once the engine listens on the port.
export async function startInPage(address, port) {
  const engine = await import(address);
  await engine.default();
  engine.serve(port);
}
