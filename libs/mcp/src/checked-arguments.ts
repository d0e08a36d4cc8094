/** Arguments checked by a JSON Schema that is not ours. */
import { Json } from '@cadre/contracts';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv';
import { z } from 'zod';

/** A schema that cannot be used leaves the check to the server. @param onUnusable told why, once */
export function checkedArguments(schema: { [key: string]: Json }, onUnusable: (why: string) => void): z.ZodType<{ [key: string]: Json }> {
  const object = z.record(z.string(), Json);
  const check = validatorOf(schema, onUnusable);
  if (check === undefined) return object;
  return object.superRefine((value, context) => {
    const outcome = check(value);
    if (!outcome.valid) context.addIssue({ code: 'custom', message: outcome.errorMessage.slice(0, 1000) });
  });
}

function validatorOf(schema: { [key: string]: Json }, onUnusable: (why: string) => void) {
  try {
    return new AjvJsonSchemaValidator().getValidator<unknown>(schema);
  } catch (error) {
    onUnusable(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
