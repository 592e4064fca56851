import { describe, expect, it } from 'vitest';
import { geojsonType, geopointType } from '../../../quality/types/geo.ts';

function read(type: ReturnType<typeof geopointType>, text: string): number | string | undefined {
  const bytes = Buffer.from(text);
  const value = type.read(bytes, 0, bytes.length);
  return Number.isNaN(value) ? undefined : type.key(bytes, 0, bytes.length, value);
}

describe('geopointType', () => {
  it('takes one place in two ways for the same', () => {
    const text = geopointType('default');
    expect(read(text, '90.50, 45.5')).toBe(read(text, '+90.5,45.500'));
    expect(read(text, '1,23')).not.toBe(read(text, '12,3'));
    const object = geopointType('object');
    expect(read(object, '{"lat":1.0,"lon":2}')).toBe(read(object, '{"lon":2,"lat":1}'));
    const list = geopointType('array');
    expect(read(list, '[1, 2]')).not.toBe(read(list, '[2, 1]'));
  });

  it('tells places apart that differ beyond what a double holds', () => {
    const type = geopointType('default');
    expect(read(type, '1.00000000000000000001,2')).not.toBe(read(type, '1,2'));
  });
});

describe('geojsonType', () => {
  it.each([
    ['{"type":"toString","coordinates":[]}'],
    ['{"type":"Feature","properties":{},"geometry":null,"id":{}}'],
    ['{"type":"FeatureCollection","features":[null]}'],
    ['{"type":"GeometryCollection","geometries":{}}'],
    ['{"type":"MultiPoint","coordinates":[[1,"2"]]}'],
    ['{"type":"Point","coordinates":[1,2],"bbox":{"length":4}}'],
    ['{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0,5]]]}'],
  ])('refuses %s', (text) => {
    expect(read(geojsonType('default'), text)).toBeUndefined();
  });

  it('takes an object of no place in a topology', () => {
    expect(
      read(geojsonType('topojson'), '{"type":"Topology","arcs":[],"objects":{"a":{"type":null}}}'),
    ).toBeDefined();
  });
});
