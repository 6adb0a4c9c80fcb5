import { z } from "zod";

/**
 * Zod tries with its first schema whether it may compile checks, which breaks the content security policy. A file that
 * needs schemas in the page imports this one first; it is the page's only file that acts when it is imported.
 */
z.config({ jitless: true });
