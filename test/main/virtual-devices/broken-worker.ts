/** A worker root that never gets anywhere. */
console.error("Error: no luck today");
process.on("message", () => process.exit(3));
