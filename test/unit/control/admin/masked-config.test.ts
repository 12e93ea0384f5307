/** The configuration that everybody may see who may look. */
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../../src/config/load.js';
import { MASK, maskedConfig, maskedYaml } from '../../../../src/control/admin/masked-config.js';

const FILE = `
listeners:
  - name: web
    bind: ":8080"
    routes: [{ upstream: token }]
    tls:
      certificates: [{ cert: a.pem, key: a.key, passphrase: 0123456789-phrase }]
      acme: { names: [ a.b ], storage: s, accountBinding: { keyId: me, hmacKey: 0123456789-hmac } }
upstreams:
  token:
    endpoints: [{ address: "10.0.0.1:80" }]
    healthCheck: { path: /, headers: { Authorization: Basic-c2VjcmV0, X-Plain: seen } }
    affinity: { cookie: { name: secret-name, secret: 0123456789-cookie-secret } }
admin: { token: 0123456789-admin-token }
tracing: { endpoint: "http://me:0123@collector.test/v1/traces", headers: { X-Tenant: 0123456789-tenant } }
`;

function loaded() {
  const found = loadConfig({
    file: 'a.yaml',
    flags: {},
    readFile: () => Buffer.from(FILE),
    machine: { processors: 2, fileLimit: { soft: 1_024, hard: 4_096 } } as never,
  });
  if (!found.ok) throw new Error(JSON.stringify(found.problems));
  return found.config;
}

describe('maskedConfig', () => {
  it('has no secret in it, and all the rest', () => {
    expect(maskedYaml(loaded())).not.toMatch(/0123|c2VjcmV0/);
    expect(maskedConfig(loaded())).toMatchObject({
      listeners: [
        {
          tls: {
            certificates: [{ cert: 'a.pem', key: 'a.key', passphrase: MASK }],
            acme: { accountBinding: { keyId: 'me', hmacKey: MASK } },
          },
        },
      ],
      upstreams: {
        token: {
          healthCheck: { headers: { Authorization: MASK, 'X-Plain': 'seen' } },
          affinity: { cookie: { name: 'secret-name', secret: MASK } },
        },
      },
      admin: { token: MASK, bind: '127.0.0.1:9900' },
      tracing: { endpoint: `http://${MASK}@collector.test/v1/traces`, headers: { 'X-Tenant': MASK } },
    });
  });
});
