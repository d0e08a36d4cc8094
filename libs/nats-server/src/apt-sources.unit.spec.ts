import { parseDeb822, parseOneLine } from './apt-sources.js';

test('one-line entries: only binary packages of main', () => {
  const text = `
# deb http://commented.example/debian bookworm main
deb http://a.example/debian bookworm main contrib # trailing
deb-src http://b.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] https://c.example/debian/ sid main
deb http://d.example/extra stable stable
`;
  expect(parseOneLine(text)).toEqual([{ uri: 'http://a.example/debian' }, { uri: 'https://c.example/debian/', signedBy: '/k.gpg' }]);
});

test('deb822 stanzas: several URIs, comments, disabled stanzas, keys in the entry itself', () => {
  const text = `Types: deb
# http://old.example/debian
URIs: http://a.example/debian
  http://b.example/debian
Suites: bookworm
Components: main
Signed-By: /k.gpg

Types: deb-src
URIs: http://c.example/debian
Components: main

Types: deb deb-src
URIs: http://d.example/debian
Components: main
Enabled: no

Types: deb
URIs: http://e.example/debian
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
`;
  expect(parseDeb822(text)).toEqual([
    { uri: 'http://a.example/debian', signedBy: '/k.gpg' },
    { uri: 'http://b.example/debian', signedBy: '/k.gpg' },
    { uri: 'http://e.example/debian' },
  ]);
});
