/** Address of a method of the Web API, below the connection's `api_url` with or without a slash at its end. */
export function slackMethod(apiUrl: string, method: string): string {
  return new URL(method, apiUrl.endsWith('/') ? apiUrl : `${apiUrl}/`).href;
}
