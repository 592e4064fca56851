import { decodeText, encodeText } from '../text.ts';
import { type CellType, UNORDERED } from './cell-type.ts';
import { isJsonObject, jsonType } from './json.ts';
import { numberKey, readNumber } from './number.ts';

export const GEOPOINT_FORMATS = ['default', 'array', 'object'] as const;
export const GEOJSON_FORMATS = ['default', 'topojson'] as const;

/** A place has no order value. */
const VALID = 0;
const COMMA = 0x2c;
const SPACE = 0x20;

/**
 * Table Schema `geopoint`: a longitude from -180 to 180 and a latitude from -90 to 90, in degrees, as text
 * (`lon, lat`), as a JSON array of both, or as a JSON object of `lon` and `lat` alone.
 */
export function geopointType(format: (typeof GEOPOINT_FORMATS)[number]): CellType {
  if (format !== 'default') {
    return jsonType((value) => {
      const both = Array.isArray(value) ? value : isJsonObject(value) ? [value.lon, value.lat] : [];
      if (format === 'array' ? !Array.isArray(value) : Array.isArray(value)) return false;
      const members = Object.keys(value as object).length;
      return members === 2 && isDegree(both[0], 180) && isDegree(both[1], 90);
    });
  }
  return {
    read: (bytes, start, end) => {
      const comma = bytes.subarray(start, end).indexOf(COMMA);
      if (comma < 0) return Number.NaN;
      const lon = numberBetween(bytes, start, start + comma);
      const lat = numberBetween(bytes, start + comma + 1, end);
      return isDegree(lon, 180) && isDegree(lat, 90) ? VALID : Number.NaN;
    },
    key: (bytes, start, end) =>
      decodeText(bytes, start, end)
        .split(',')
        .map((text) => {
          const number = encodeText(text.trim());
          return numberKey(number, 0, number.length, readNumber(number, 0, number.length) || 0);
        })
        .join(),
    show: () => null,
  };
}

/** A number with spaces around it; NaN for any other text. */
function numberBetween(bytes: Uint8Array, from: number, to: number): number {
  let start = from;
  let end = to;
  while (start < end && bytes[start] === SPACE) start++;
  while (start < end && bytes[end - 1] === SPACE) end--;
  const value = start < end ? readNumber(bytes, start, end) : Number.NaN;
  return value === UNORDERED ? Number.NaN : value;
}

function isDegree(value: unknown, most: number): boolean {
  return typeof value === 'number' && value >= -most && value <= most;
}

/** Table Schema `geojson`: an object of GeoJSON (RFC 7946), or a topology of TopoJSON. */
export function geojsonType(format: (typeof GEOJSON_FORMATS)[number]): CellType {
  const type = jsonType(format === 'default' ? isGeoJson : isTopology);
  return {
    ...type,
    length: (bytes, start, end) => Object.keys(type.json(bytes, start, end) as object).length,
  };
}

type Test = (value: unknown) => boolean;

/** RFC 7946, 3.1.1: a position has two numbers or more. */
const isPosition: Test = (value) =>
  Array.isArray(value) && value.length >= 2 && value.every((item) => typeof item === 'number');

const isListOf =
  (test: Test, least = 0): Test =>
  (value) =>
    Array.isArray(value) && value.length >= least && value.every(test);

/** RFC 7946, 3.1.6: four positions or more, the last one the first. */
const isRing: Test = (value) => {
  if (!isListOf(isPosition, 4)(value)) return false;
  const positions = value as number[][];
  const [first = [], last = []] = [positions[0], positions.at(-1)];
  return first.length === last.length && first.every((number, index) => number === last[index]);
};

const isLine = isListOf(isPosition, 2);

const COORDINATES: Readonly<Record<string, Test>> = {
  Point: (value) => isPosition(value) || isEmptyList(value),
  MultiPoint: isListOf(isPosition),
  LineString: (value) => isLine(value) || isEmptyList(value),
  MultiLineString: isListOf(isLine),
  Polygon: isListOf(isRing),
  MultiPolygon: isListOf(isListOf(isRing)),
};

/** RFC 7946, 3.1: no coordinates at all may stand for no place. */
function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

const isGeometry: Test = (value) => {
  if (!isJsonObject(value) || !isBox(value.bbox)) return false;
  // RFC 7946, 7.1: these belong to other objects.
  if ('geometry' in value || 'properties' in value || 'features' in value) return false;
  if (value.type === 'GeometryCollection') return isListOf(isGeometry)(value.geometries);
  return testOf(COORDINATES, value.type)?.(value.coordinates) === true;
};

const isFeature: Test = (value) => {
  if (!isJsonObject(value) || value.type !== 'Feature' || !isBox(value.bbox)) return false;
  if ('coordinates' in value || 'geometries' in value || 'features' in value) return false;
  const { id, geometry, properties } = value;
  const isId = id === undefined || typeof id === 'string' || typeof id === 'number';
  const isBare = properties === null || isJsonObject(properties);
  return isId && isBare && (geometry === null || isGeometry(geometry));
};

const isGeoJson: Test = (value) => {
  if (!isJsonObject(value)) return false;
  if (value.type === 'Feature') return isFeature(value);
  if (value.type !== 'FeatureCollection') return isGeometry(value);
  if ('coordinates' in value || 'geometries' in value) return false;
  if ('geometry' in value || 'properties' in value) return false;
  return isBox(value.bbox) && isListOf(isFeature)(value.features);
};

/** RFC 7946, 5: twice as many numbers as a position has. */
function isBox(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isPosition(value)) return false;
  const { length } = value as unknown[];
  return length >= 4 && length % 2 === 0;
}

const isIndex: Test = (value) => Number.isSafeInteger(value);
const isArcs = isListOf(isIndex);

/** What TopoJSON's geometries have in place of coordinates. */
const ARCS: Readonly<Record<string, Test>> = {
  LineString: isArcs,
  MultiLineString: isListOf(isArcs),
  Polygon: isListOf(isArcs),
  MultiPolygon: isListOf(isListOf(isArcs)),
};

/** The TopoJSON Format Specification, 2.1: arcs that geometries name by their places, from the end below zero. */
const isTopology: Test = (value) => {
  if (!isJsonObject(value) || value.type !== 'Topology') return false;
  const { arcs, bbox, objects, transform } = value;
  if (!isListOf(isLine)(arcs) || !isBox(bbox) || !isJsonObject(objects)) return false;
  if (transform !== undefined && !isTransform(transform)) return false;
  const { length } = arcs as unknown[];
  return Object.values(objects).every((object) => isTopoGeometry(object, length));
};

function isTopoGeometry(value: unknown, arcs: number): boolean {
  if (!isJsonObject(value) || !isBox(value.bbox)) return false;
  const { type } = value;
  // An object without a type stands for no place.
  if (type === null) return true;
  if (type === 'GeometryCollection') {
    return isListOf((item) => isTopoGeometry(item, arcs))(value.geometries);
  }
  if (type === 'Point' || type === 'MultiPoint') {
    return COORDINATES[type]?.(value.coordinates) === true;
  }
  if (testOf(ARCS, type)?.(value.arcs) !== true) return false;
  return (value.arcs as unknown[]).flat(3).every((arc) => {
    const index = arc as number;
    return index < arcs && index >= -arcs;
  });
}

function isTransform(value: unknown): boolean {
  const isPair: Test = (pair) => isPosition(pair) && (pair as unknown[]).length === 2;
  return isJsonObject(value) && isPair(value.scale) && isPair(value.translate);
}

function testOf(tests: Readonly<Record<string, Test>>, type: unknown): Test | undefined {
  return typeof type === 'string' && Object.hasOwn(tests, type) ? tests[type] : undefined;
}
