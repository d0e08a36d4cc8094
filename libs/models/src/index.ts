export { OpenAiModel } from './openai-model.js';
export type { OpenAiModelOptions } from './openai-model.js';
export { DEFAULT_PRICES, Price, PriceTable, costMicros, loadPrices, priceOf } from './prices.js';
