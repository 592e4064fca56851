import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { unsupportedSource } from '../../../quality/checks/source.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

describe('unsupportedSource', () => {
  it.each([
    ['UTF-32 little-endian', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), true],
    ['UTF-32 big-endian', Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x61]), true],
    ['UTF-32 without a mark', Buffer.from([0, 0, 0, 0x61, 0, 0, 0, 0x2c]), true],
    ['gzip', gzipSync('a'), false],
    ['zip', Buffer.from('PK\x03\x04'), false],
    ['bzip2', Buffer.from('BZh91AY&SY\x00'), false],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), false],
    ['an old workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), false],
    ['PDF', Buffer.from('%PDF-1.7\n'), false],
    ['Parquet', Buffer.from('PAR1\x15'), false],
    ['an HTML page', Buffer.from('\ufeff\n <!-- x -->\n<!DOCTYPE html><html>'), false],
    ['a PDF behind a line end', Buffer.from('\n%PDF-1.4\n'), false],
    ['a page without its first tags', Buffer.from('<meta charset="utf-8"><p>Sign in</p>'), false],
    ['a sheet that was saved as HTML', Buffer.from('<style>td{}</style>\n<table>'), false],
    ['a table of HTML', Buffer.from('<table class="x">\n<tr>'), false],
    ['an answer of S3', Buffer.from('<Error><Code>AccessDenied</Code>'), false],
    ['a PNG', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]), false],
    ['a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), false],
    ['OpenPGP', Buffer.from('-----BEGIN PGP MESSAGE-----\n'), false],
    ['a pointer of Git LFS', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), false],
    ['ORC', Buffer.from('ORC\x08\x03'), false],
    [
      'a transport file of SAS',
      Buffer.from(`HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!${'0'.repeat(30)}`),
      false,
    ],
    [
      'a data set of SAS',
      Buffer.from(`${'00'.repeat(12)}c2ea8160b31411cfbd92080009c7318c`, 'hex'),
      false,
    ],
    ['Stata', Buffer.from('<stata_dta><header>'), false],
    ['R', Buffer.from('RDX3\nX\n\0'), false],
    ['NumPy', Buffer.from('\x93NUMPY\x01', 'latin1'), false],
    ['OpenSSL', Buffer.from('Salted__\x01\x02'), false],
    ['a certificate', Buffer.from('-----BEGIN CERTIFICATE-----\n'), false],
    ['EBCDIC', Buffer.from('89846b958194856b8389a3a825f16bc195956bd9969485', 'hex'), true],
    ['a page that was saved as a mail', Buffer.from('From: x\r\nMIME-Version: 1.0\r\n'), false],
    ['an answer with its headers', Buffer.from('HTTP/1.1 200 OK\r\n'), false],
    ['PostScript', Buffer.from('%!PS-Adobe-3.0\n'), false],
    ['SYLK', Buffer.from('ID;PWXL;N;E\nP;PGeneral\n'), false],
    ['SYLK of LibreOffice', Buffer.from('ID;PCALCOOO32\r\nB;Y2;X3;D0 0 1 2\r\n'), false],
    ['DIF', Buffer.from('TABLE\r\n0,1\r\n"EXCEL"\r\n'), false],
    ['HL7', Buffer.from('MSH|^~\\&|A|B\r'), false],
    ['a patch', Buffer.from('diff --git a/x b/x\n'), false],
    ['XML', Buffer.from('<?xml version="1.0"?>'), false],
    [
      'a dump of MySQL',
      Buffer.from('-- MySQL dump 10.13\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `a`;\n'),
      false,
    ],
    [
      'a dump of PostgreSQL',
      Buffer.from('--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n'),
      false,
    ],
    ['a dump of SQLite', Buffer.from('PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n'), false],
    ['a table of SQL', Buffer.from('CREATE TABLE public.officers (\n  id int\n);\n'), false],
    ['a script of SQL', Buffer.from("insert into a values (1, 'x');\n"), false],
    ['a document of YAML', Buffer.from('---\nofficers:\n  - id: 1\n'), false],
    ['a list of YAML', Buffer.from('--- # officers\r\n- 1\n'), false],
    ['an INI file', Buffer.from('[section]\r\n; comment\nkey = value, other\nlast key=1\n'), false],
    ['an INI file of sections', Buffer.from('[section]\nkey=1\n\n[next]\nkey=2\n'), false],
    ['a vCard', Buffer.from('BEGIN:VCARD\r\nVERSION:4.0\r\n'), false],
    ['a database of Access', Buffer.from('\0\x01\0\0Standard ACE DB\0'), false],
    ['lines of JSON', Buffer.from('{"id": 1, "a\\"b": "x"}\n'), false],
    ['a list of JSON', Buffer.from('[\n  {"id": 1}]'), false],
    ['an empty list in a list of JSON', Buffer.from('[[1,2],[3]]'), false],
  ])('knows %s', (_, head, encoding) => {
    expect(unsupportedSource(head)?.encoding).toBe(encoding);
  });

  it.each([
    'id,name',
    '\ufeffid',
    'PK,id',
    '',
    'PAR,1',
    'BZh,b',
    '<html-tag>,b',
    '<table_id>,b',
    '<Error>,b',
    'version,https',
    '[a],{b}',
    '{a},"b"',
    '7zip,Rar',
    '%PDF',
    'ORC,b',
    'TABLE\n0,1\n',
    'ID;PLACE\n1;2\n',
    'ID;Precinct\nB;North\nC;South\n',
    'ID;PHENOTYPE\nO;A\n',
    'From: a,MIME-Version\n',
    'RD,x\n1,2\n',
    'MSH|x\n',
    'HTTP status,count\n',
    '--- a,+++\n',
    '-----,b\n',
    '\u0418\u0432\u0430\u043d\u043e\u0432\u0418\u0432\u0430\u043d\u043e\u0432\n',
    'Use Of Force Report;\n1;\n',
    'USE OF FORCE\n1\n',
    'BEGIN;\n1;\n',
    'Create Table Name\na b c\n',
    'Drop Table Reason;\n1;\n',
    'Insert Into\nx\n',
    'Set Number = 1,b\n',
    'BEGIN;END\n1;2\n',
    'SET A;SET B\n',
    'insert into,b\n',
    '---,b\n',
    '---\n1,2\n',
    '[a],[b]\n',
    '[a]\nb,c=d\n',
    '[formula]\nE=mc2\n',
    '[filter]\nb=1\nb=2\n',
    '[address]\nhttps://a.example/?b=1\nhttps://a.example/?c=1\n',
    'BEGIN:VALUE,b\n',
  ])('takes %j for text', (head) => {
    expect(unsupportedSource(Buffer.from(head))).toBeUndefined();
  });
});

describe('a file that cannot be read', () => {
  it('calls an empty file unreadable', () => {
    for (const file of ['', '\ufeff']) {
      const report = inspectBytes(file);
      expect(report).toMatchObject({ verdict: 'unreadable', faultCounts: { 'source-error': 1 } });
    }
  });

  it('calls a file of comments alone unreadable', () => {
    const report = inspectBytes('# a\n', { expectation: { dialect: { commentChar: '#' } } });
    expect(report.verdict).toBe('unreadable');
  });

  it('gives UTF-32 one encoding error and judges no further', () => {
    const text = Buffer.from('\ufeffid,name\n1,a\n', 'utf16le');
    const file = Buffer.alloc(text.length * 2);
    for (let i = 0; i < text.length; i += 2) text.copy(file, i * 2, i, i + 2);
    const report = inspectBytes(file);
    expect(places(report)).toStrictEqual(['encoding-error -:-']);
    expect(report).toMatchObject({ verdict: 'unreadable', rows: 0, columns: [] });
  });

  it.each([
    ['an archive', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), 'unpack it before the delivery'],
    ['a page of a log-in', Buffer.from(`\n<html>${'<p>, x</p>\n'.repeat(200)}`), 'HTML page'],
  ])('calls %s unreadable, though it comes byte by byte', (_, file, message) => {
    const report = inspectBytes(file, {}, [1]);
    expect(report).toMatchObject({
      verdict: 'unreadable',
      faultCounts: { 'unsupported-format': 1 },
      faults: [{ message: expect.stringContaining(message) }],
    });
  });

  it('with more labels than are read is unreadable', () => {
    const report = inspectBytes(`${'a,'.repeat(65_536)}b\n`, { maxFaults: 1 });
    expect(report).toMatchObject({
      verdict: 'unreadable',
      faults: [{ message: 'The header has 65537 labels; at most 65536 are read.' }],
    });
  });
});
