import type { Protocol } from "electron";
import { securityHeaders } from "#main/hosts/web/headers.ts";
import { createStaticFiles } from "#main/hosts/web/static-files.ts";
import { APP_HOST, APP_SCHEME, isOurPage } from "./origin.ts";

/** Before Electron is ready: the scheme of the page is one like https, with an origin of its own. */
export const registerAppScheme = (protocol: Pick<Protocol, "registerSchemesAsPrivileged">): void => {
  protocol.registerSchemesAsPrivileged([
    {
      scheme: APP_SCHEME,
      privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
    },
  ]);
};

/** As the browser's, but that the page talks to the lab by its port alone: it may connect to nothing. */
export const appHeaders = (): Readonly<Record<string, string>> => {
  const headers = securityHeaders();
  return {
    ...headers,
    "Content-Security-Policy": headers["Content-Security-Policy"]!.replace(
      "connect-src 'self'",
      "connect-src 'none'",
    ),
  };
};

/** Answers requests of the window with the files of the built page, and with nothing else. */
export const createAppResponder = (options: {
  readonly rendererDir: string;
  onProblem(error: unknown): void;
}) => {
  const files = createStaticFiles(options.rendererDir);
  const headers = appHeaders();
  const refuse = (status: number) =>
    new Response(status === 404 ? "There is no such file.\n" : "The file could not be read.\n", {
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

/** The path as it was asked for: a URL that is parsed has its dots resolved already. */
const pathOf = (address: string): string => {
  const start = `${APP_SCHEME}://${APP_HOST}`.length;
  const path = /^[^?#]*/.exec(address.slice(start))?.[0] ?? "";
  return path === "" ? "/" : path;
};

export const serveApp = (
  protocol: Pick<Protocol, "handle">,
  options: Parameters<typeof createAppResponder>[0],
): void => protocol.handle(APP_SCHEME, createAppResponder(options));
