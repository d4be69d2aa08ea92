import { ApiError } from '@eyrie/schemas/api';

/** What every route may answer instead, for the OpenAPI document. */
export const errors = {
  400: ApiError.describe('The request is malformed; the message names the part.'),
  401: ApiError.describe('No valid token.'),
  403: ApiError.describe('The token lacks the scope.'),
  404: ApiError.describe('Nothing is there, or the token may not see it.'),
  409: ApiError.describe('It changed meanwhile: read it again and repeat.'),
  503: ApiError.describe('The outcome is unknown: repeat the whole request.'),
} as const;
