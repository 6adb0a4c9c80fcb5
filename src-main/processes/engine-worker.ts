/** Entry of the short-lived process that tries to load a native engine. It wires rooms together and holds no logic. */
import { runEngineTrial } from "#main/learning/engines/try-in-child.ts";
import { connectParent } from "./parent.ts";

runEngineTrial(connectParent());
