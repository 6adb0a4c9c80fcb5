import type { Protocol } from "electron";
import { securityHeaders } from "#main/hosts/web/headers.ts";
import { createStaticFiles } from "#main/hosts/web/static-files.ts";
import { APP_HOST, APP_SCHEME, isOurPage } from "./origin.ts";

/** Call it before Electron is ready. The page's scheme behaves like https and has an origin of its own. */
export const registerAppScheme = (protocol: Pick<Protocol, "registerSchemesAsPrivileged">): void => {
  protocol.registerSchemesAsPrivileged([
    {
      scheme: APP_SCHEME,
      privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
    },
  ]);
};

/** The browser's headers, except that this page talks to the lab through its port: it may connect to nothing. */
const appHeaders = (): Readonly<Record<string, string>> => {
  const headers = securityHeaders();
  return {
    ...headers,
    "Content-Security-Policy": headers["Content-Security-Policy"]!.replace(
      "connect-src 'self'",
      "connect-src 'none'",
    ),
  };
};

/** Answers the window's requests with the files of the built page, and with nothing else. */
export const createAppResponder = (options: {
  readonly rendererDir: string;
  onProblem(error: unknown): void;
}) => {
  const files = createStaticFiles(options.rendererDir);
  const headers = appHeaders();
  const refuse = (status: number) =>
    new Response(status === 404 ? "File not found.\n" : "The file could not be read.\n", {
      status,
      headers: { ...headers, "Content-Type": "text/plain; charset=utf-8" },
    });

  return async (request: Request): Promise<Response> => {
    if (!isOurPage(request.url) || (request.method !== "GET" && request.method !== "HEAD"))
      return refuse(404);
    try {
      const file = await files.find(pathOf(request.url));
      if (file === undefined) return refuse(404);
      const { bytes } = await file.body(undefined);
      return new Response(request.method === "HEAD" ? null : new Uint8Array(bytes), {
        headers: { ...headers, "Content-Type": file.type, "Cache-Control": file.cacheControl },
      });
    } catch (error) {
      options.onProblem(error);
      return refuse(500);
    }
  };
};

/** The path as it was requested: parsing the URL would resolve its dots. */
const pathOf = (address: string): string => {
  const start = `${APP_SCHEME}://${APP_HOST}`.length;
  const path = /^[^?#]*/.exec(address.slice(start))?.[0] ?? "";
  return path === "" ? "/" : path;
};

export const serveApp = (
  protocol: Pick<Protocol, "handle">,
  options: Parameters<typeof createAppResponder>[0],
): void => protocol.handle(APP_SCHEME, createAppResponder(options));
