/** HMAC-SHA256, for cookies that only this proxy can make. Thread: any. */
import { createHmac } from 'node:crypto';
import type { SignText } from '../policies/affinity.js';

/** @returns 43 characters of base64url */
export const signText: SignText = (secret, text) =>
  createHmac('sha256', secret).update(text, 'utf8').digest('base64url');
