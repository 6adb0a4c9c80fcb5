/** Root of the short-lived process that tries to load a native engine. It wires rooms together and holds no logic. */
import { connectParent } from "#main/hosts/parent.ts";
import { runEngineTrial } from "#main/learning/engines/try-in-child.ts";

runEngineTrial(connectParent());
