import { startService } from '@cadre/service-kit';
import { gatewayService } from './gateway.js';

await startService(gatewayService);
