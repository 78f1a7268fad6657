//! Writes `control.d.ts`: the shapes of `openapi.json` as types. `node tools/types.mjs --write`; without it, the text goes
//! to stdout. The package itself never needs it.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const DOCUMENT = fileURLToPath(new URL('../../openapi.json', import.meta.url));
export const TYPES = fileURLToPath(new URL('../control.d.ts', import.meta.url));

/** The file's text. */
export function types() {
  const { schemas } = JSON.parse(readFileSync(DOCUMENT, 'utf8')).components;
  const named = Object.entries(schemas).map(([name, schema]) => `${doc(schema, '')}export type ${name} = ${type(schema, '')};\n`);
  return `// Written by tools/types.mjs from openapi.json: change the server's types instead.\n\n${named.join('\n')}`;
}

/** A schema as a type, in lines that begin with `indent`. */
function type(schema, indent) {
  if (schema === true || schema === undefined) return 'unknown';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const several = schema.oneOf ?? schema.anyOf;
  if (several && !schema.properties) return several.map((one) => type(one, indent)).join(' | ');
  if (schema.allOf) return schema.allOf.map((one) => type(one, indent)).join(' & ');
  if (Array.isArray(schema.type)) return schema.type.map((one) => type({ ...schema, type: one }, indent)).join(' | ');
  switch (schema.type) {
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'array':
      return schema.prefixItems
        ? `[${schema.prefixItems.map((item) => type(item, indent)).join(', ')}]`
        : `Array<${type(schema.items, indent)}>`;
    case 'object':
      return fields(schema, indent);
    default:
      return 'unknown';
  }
}

function fields({ properties, required = [], additionalProperties, oneOf }, indent) {
  if (!properties) {
    return typeof additionalProperties === 'object' ? `Record<string, ${type(additionalProperties, indent)}>` : additionalProperties === false ? '{}' : 'Record<string, unknown>';
  }
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([name, schema]) => {
    const key = /^[a-z_]\w*$/i.test(name) ? name : JSON.stringify(name);
    return `${doc(schema, inner)}${inner}${key}${required.includes(name) ? '' : '?'}: ${type(schema, inner)};\n`;
  });
  const own = `{\n${lines.join('')}${indent}}`;
  return oneOf ? `${own} & (${oneOf.map((one) => type(one, indent)).join(' | ')})` : own;
}

function doc({ description }, indent) {
  return description ? `${indent}/** ${description.replaceAll('\n', ' ').replaceAll('*/', '* /')} */\n` : '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) writeFileSync(TYPES, types());
  else process.stdout.write(types());
}
