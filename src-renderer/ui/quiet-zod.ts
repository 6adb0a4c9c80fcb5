import { z } from "zod";

/**
 * The probe for compiled checks breaks the content security policy, and it is made with the first schema. Whoever
 * needs schemas in the page imports this before them; it is the one file of the page that acts when it is imported.
 */
z.config({ jitless: true });
