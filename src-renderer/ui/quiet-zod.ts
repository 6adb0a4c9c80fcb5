import { z } from "zod";

/**
 * Zod tries with its first schema whether it may compile checks, which breaks the content security policy. The page's
 * entry imports this file before it loads anything else; it is the page's only file that acts when it is imported.
 */
z.config({ jitless: true });
