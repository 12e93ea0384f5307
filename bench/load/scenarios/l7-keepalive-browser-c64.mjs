/** Scenario: heads as long as browsers send them, where header fields are what costs. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-keepalive-browser-c64',
  summary: '43-byte answers to heads of 13 fields, as a browser sends them',
  sets: ['quick', 'l7'],
  request: {
    headers: [
      'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
      'Accept-Encoding: gzip, deflate, br, zstd',
      'Accept-Language: en-US,en;q=0.5',
      'Cache-Control: no-cache',
      'Cookie: session=4f9d1c2b7a6e5d8c3b2a19087f6e5d4c; theme=dark; consent=yes',
      'DNT: 1',
      'Pragma: no-cache',
      'Referer: https://www.example.com/some/page',
      'Sec-Fetch-Dest: document',
      'Sec-Fetch-Mode: navigate',
      'Sec-Fetch-Site: same-origin',
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    ],
  },
});
